"""What the bytes of a picture are: recognised by the bytes, decoded safely, hashed for finding."""
