"""The model under audit, its pairs of images, and what it makes of any image: judged in one place."""
