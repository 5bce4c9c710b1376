"""Read and write images, audio and video.

Reading accepts whatever PIL and FFmpeg decode; writing gives H.264 with AAC at exactly 25 frames per second. Video is
streamed: a file of any length needs the memory of a few frames. Times are counted from the start of the file's container, so
that the frames of `read_video` and the samples of `read_audio` of one file stay in sync.
"""

from tbd.media.audio import Sound, read_audio, read_sound
from tbd.media.image import read_image
from tbd.media.still_or_video import read_still_or_video
from tbd.media.video import VideoFrames, VideoInfo, read_video, video_info
from tbd.media.writer import VideoWriter, provenance

__all__ = [
    "Sound", "VideoFrames", "VideoInfo", "VideoWriter", "provenance",
    "read_audio", "read_image", "read_sound", "read_still_or_video", "read_video", "video_info",
]  # fmt: skip
