"""A crowd at a server for a long time, a tenth of it out to do harm."""
