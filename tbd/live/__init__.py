"""A face that talks while somebody speaks: sound in pieces, frames out of them, within a bounded delay."""
