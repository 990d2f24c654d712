"""What the archive's files hold, hashed as it is read; what is made of it, and the cache that keeps that."""
