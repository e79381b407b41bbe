// Elements from names and texts. There is no way here to make an element from markup: whatever a
// model answered stays text.

type Child = Node | string | number | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(
  name: K, attributes: Attributes = {}, ...children: (Child | Child[])[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(key, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

export function append(element: Element, children: (Child | Child[])[]): void {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/** A section of the page with its heading; null when it has nothing to show. */
export function section(id: string, title: string, ...children: (Child | Child[])[]): HTMLElement {
  return h("section", { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), ...children);
}

/** A wide table scrolls by itself: the page never does. Reached by keyboard, named for screen readers. */
export function scrolling(label: string, table: HTMLElement): HTMLElement {
  return h("div", { class: "scrolling", role: "region", tabindex: 0, "aria-label": label }, table);
}

/** Rows of names and values. */
export function facts(list: readonly { name: string; value?: string }[] | undefined): HTMLElement | null {
  if (!list || list.length === 0) return null;
  return h("dl", { class: "facts" },
    list.flatMap((fact) => [h("dt", {}, fact.name), h("dd", {}, fact.value ?? "")]));
}

/** Details whose content is made when they are first opened. */
export function lazyDetails(summary: string, make: () => (Child | Child[])[]): HTMLElement {
  const details = h("details", {}, h("summary", {}, summary));
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) append(details, make());
  });
  return details;
}
