"""What passed through the gateway, remembered."""
