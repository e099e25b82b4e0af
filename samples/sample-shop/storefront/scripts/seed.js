// Prints a catalogue of the asked size as JSON: `node scripts/seed.js 20`.

const FAMILIES = ["tea", "cup", "pot", "tin"];

/** Returns the article number for a running number: tea-000, cup-001, … */
export function skuFor(index) {
  return `${FAMILIES[index % FAMILIES.length]}-${String(index).padStart(3, "0")}`;
}

export function makeProducts(count) {
  return Array.from({ length: count }, (_, index) => ({
    sku: skuFor(index),
    title: `Sample ${FAMILIES[index % FAMILIES.length]} no. ${index}`,
    cents: 250 + ((index * 137) % 4000),
    tags: [FAMILIES[index % FAMILIES.length]],
  }));
}

const count = Number(process.argv[2] ?? 10);
console.log(JSON.stringify(makeProducts(count), null, 2));
