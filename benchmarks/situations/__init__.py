"""What a situation is met with: sentences, training, figures. README.md says how they were made."""
