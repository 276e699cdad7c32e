"""Connected accounts, and the money that goes between them and their platform."""
