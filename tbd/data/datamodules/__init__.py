"""A LightningDataModule for each data set, and for mixtures of them."""
