// Rows that stay the same elements while their content changes: focus, selection and open details
// survive an update.

export interface Row<T> {
  element: HTMLElement;
  update(item: T): void;
}

export class Keyed<T> {
  private readonly rows = new Map<string, Row<T>>();
  private readonly parent: HTMLElement;
  private readonly keyOf: (item: T) => string;
  private readonly make: (item: T) => Row<T>;

  constructor(parent: HTMLElement, keyOf: (item: T) => string, make: (item: T) => Row<T>) {
    this.parent = parent;
    this.keyOf = keyOf;
    this.make = make;
  }

  show(items: readonly T[]): void {
    const wanted = new Set(items.map(this.keyOf));
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    let before: Element | null = this.parent.firstElementChild;
    for (const item of items) {
      const key = this.keyOf(item);
      let row = this.rows.get(key);
      if (!row) {
        row = this.make(item);
        this.rows.set(key, row);
      }
      row.update(item);
      if (row.element === before) {
        before = before.nextElementSibling;
      } else {
        this.parent.insertBefore(row.element, before);
      }
    }
  }
}

/** Sets a text only where it changes: screen readers and selections are left in peace. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
