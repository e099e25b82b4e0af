import type { Catalogue } from "./catalogue.js";

/** One line of a cart: an article and how many of it. */
export interface CartLine {
  sku: string;
  quantity: number;
}

/** More than this of one article is a mistake, or somebody who should call us. */
export const MAX_QUANTITY = 99;

/** What a visitor means to buy. Lines stay in the order they were added. */
export class Cart {
  private lines: CartLine[] = [];

  /**
   * Adds units of an article, to its line if there is one.
   *
   * @throws RangeError when the quantity is not a whole number from 1 on
   */
  add(sku: string, quantity = 1): void {
    if (!Number.isInteger(quantity) || quantity < 1) {
      throw new RangeError(`not a quantity: ${quantity}`);
    }
    const line = this.lines.find((candidate) => candidate.sku === sku);
    if (line) {
      line.quantity = Math.min(line.quantity + quantity, MAX_QUANTITY);
    } else {
      this.lines.push({ sku, quantity: Math.min(quantity, MAX_QUANTITY) });
    }
  }

  remove(sku: string): boolean {
    const before = this.lines.length;
    this.lines = this.lines.filter((line) => line.sku !== sku);
    return this.lines.length < before;
  }

  /** Returns the sum of all lines in cents; unknown articles count nothing. */
  total(catalogue: Catalogue): number {
    return this.lines.reduce(
      (sum, line) => sum + (catalogue.find(line.sku)?.cents ?? 0) * line.quantity,
      0,
    );
  }

  /** Returns a copy of the lines: what `JSON.stringify` writes of a cart. */
  toJSON(): CartLine[] {
    return this.lines.map((line) => ({ ...line }));
  }
}
