"""Which plan, and with what probability?"""
