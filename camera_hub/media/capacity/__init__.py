"""What the machine bears: how loaded each relay is, what one more picture costs, who may have one (admission)."""
