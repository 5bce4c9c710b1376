"""From downloads to the cache that training reads: tracked, cropped, at 25 frames a second and 16 kHz."""
