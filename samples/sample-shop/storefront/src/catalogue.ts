/** One article as the shop window shows it. Prices are in cents. */
export interface Product {
  sku: string;
  title: string;
  cents: number;
  tags: string[];
}

/** The articles on offer, with the ways a visitor looks for them. */
export class Catalogue {
  private readonly bySku = new Map<string, Product>();

  constructor(products: Product[]) {
    for (const product of products) {
      this.bySku.set(product.sku, product);
    }
  }

  /** Returns the article of that number, or `undefined` when there is none. */
  find(sku: string): Product | undefined {
    return this.bySku.get(sku);
  }

  search(words: string): Product[] {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    return [...this.bySku.values()].filter((product) => {
      const text = `${product.title} ${product.tags.join(" ")}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
  }
}

export function cheapestFirst(products: Product[]): Product[] {
  return [...products].sort((a, b) => a.cents - b.cents || a.title.localeCompare(b.title));
}
