"""What a protocol fixes, and the truth assumed for a calculation."""
