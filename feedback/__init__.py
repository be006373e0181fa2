"""What did people do, and what follows from it?"""
