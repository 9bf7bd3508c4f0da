"""What nodes show beside their status line: pictures drawn with Pillow, and a player."""
