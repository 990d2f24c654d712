"""Which of very many pictures to look at: hashes by brute force, keypoints by votes, in files."""
