"""How numbers and days are written, by language, where Django's own way would not do."""
