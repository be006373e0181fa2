"""Here are the candidates: in which order?"""
