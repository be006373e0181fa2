// Of requests that overtake one another only the newest counts: the earlier ones are called off, and never answer late.

export function latest() {
  let current = null;
  return async (work) => {
    current?.abort();
    const mine = (current = new AbortController());
    try {
      const value = await work(mine.signal);
      return mine === current ? { value } : null;
    } catch (error) {
      if (mine !== current || error.name === "AbortError") return null;
      throw error;
    }
  };
}
