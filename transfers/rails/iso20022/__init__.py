"""Messages of ISO 20022 as the rail speaks them, read and written by the classes of its schemas."""
