"""Events of other systems in our words: Algolia Insights, Metarank, and UBI in bulk."""
