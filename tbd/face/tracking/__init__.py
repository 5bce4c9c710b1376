"""The trackers' parts: where a face is, which way up, how it is followed, and where a shot ends.

detector          MediaPipe's face detector, in tiles and quarter turns
rotation          pictures and points in quarter turns
straightening     a tilted portrait turned level
follower          one face from frame to frame
shot_boundaries   cuts in a video
detection_file    the model's output for every frame, on disk
session           a clip being tracked, frame by frame
limits            how large and how frontal a face must be
"""
