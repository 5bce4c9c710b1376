"""Pictures, sound and video: read anything that PIL and FFmpeg read, write H.264 with AAC at exactly 25 frames a second.

Video is streamed: a film of any length needs the memory of a few frames. Times are counted from the start of the file's
container, so that the frames of `read_video` and the samples of `read_audio` of one file stay together.
"""

from tbd.face.media.audio import Sound, read_audio, read_sound
from tbd.face.media.image import read_image
from tbd.face.media.video import VideoFrames, VideoInfo, read_video, video_info
from tbd.face.media.writer import VideoWriter, provenance
from tbd.face.portrait import crop_portrait, portrait_crop, portrait_window

__all__ = [
    "Sound", "VideoFrames", "VideoInfo", "VideoWriter", "crop_portrait", "portrait_crop", "portrait_window", "provenance",
    "read_audio", "read_image", "read_sound", "read_video", "video_info",
]  # fmt: skip
