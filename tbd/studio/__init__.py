"""The studio: a page on which a portrait, a voice and a sentence become a talking face. Sits on top of the pipeline.

limits      what a page may be given
settings    scales, seed and size, and the command line that gives the same result
timeline    a plan's actions as rows that can be edited, muted and undone
session     what one browser tab has given and made, and its temporary folder
inputs      files of a browser → portrait and voice, checked and measured
speaking    typed words → a voice
drawing     motion, preview and video of a session, with progress
export      plan, motion and voice as files to download
fragments   pieces of the page that are made anew: reasoning, notes, result
answers     what the page shows after an event, and its failures
handlers    events of the page → changes of a session
layout      the page's components
middleware  what stands between a browser and Gradio
refusals    what a page or a browser refuses, as sentences
files       the routes under which results are fetched
live        the WebSocket at which a portrait speaks live
server      starts it all
"""
