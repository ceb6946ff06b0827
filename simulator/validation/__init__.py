"""The model against what is known of its subject: closed forms, fits, laws, measurements.

Each row is a small scenario, what it must give and who says so. What the model does not have is a
row, too.
"""
