"""What single papers add to the library: a package for each, which nothing else imports."""
