"""What is heard in a voice: how aroused it is, and perhaps what is felt; offline, from how something is said, in any language."""

from tbd.think.voice.prosodic import ProsodicVoiceReader
from tbd.think.voice.reader import VocalEvent, VoicePassage, VoiceReader, VoiceReading, VoiceWindow

__all__ = ["ProsodicVoiceReader", "VocalEvent", "VoicePassage", "VoiceReader", "VoiceReading", "VoiceWindow"]
