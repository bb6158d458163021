"""Brazilian Portuguese: moments to the second, which Django leaves out."""

SHORT_DATETIME_FORMAT = "d/m/Y H:i:s"
