"""The networks that Hallo (arXiv 2406.08801) and EmoCAST (arXiv 2508.20615) publish, as components: built from diffusers' parts."""
