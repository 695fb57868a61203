"""Notices of alarms to receivers outside the hub: rules choose the channels, the outbox holds, delivery sends."""
