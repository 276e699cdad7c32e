"""df.stripe"""
