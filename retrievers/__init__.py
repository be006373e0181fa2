"""Here is a query: which items could answer?"""
