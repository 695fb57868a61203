"""What is a vendor's own in a device: its HTTP interface and its RTSP paths, each as the vendor's firmware has them."""
