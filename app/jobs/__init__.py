"""What is done in one go over what is stored, by a command or because somebody asked; and the pictures of it."""
