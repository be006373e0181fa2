"""How good is an item beyond its price, and which words of its customers say so?"""
