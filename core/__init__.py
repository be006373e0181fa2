"""The words of the house: types, protocols, catalogue, seeds and errors."""
