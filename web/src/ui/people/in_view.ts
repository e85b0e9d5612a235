/** Which rows of a list can be seen on the screen: tells their ids whenever others can. */

export class InView {
  readonly #observer: IntersectionObserver;
  readonly #ids = new Map<Element, string>();
  readonly #seen = new Set<Element>();

  constructor(tell: (ids: readonly string[]) => void) {
    this.#observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting && this.#ids.has(target)) this.#seen.add(target);
        else this.#seen.delete(target);
      }
      tell([...new Set([...this.#seen].map((row) => this.#ids.get(row) ?? ''))]);
    });
  }

  /** Attach it to the row. */
  row(id: string): (row: Element) => () => void {
    return (row) => {
      this.#ids.set(row, id);
      this.#observer.observe(row);
      return () => {
        this.#observer.unobserve(row);
        this.#ids.delete(row);
        this.#seen.delete(row);
      };
    };
  }
}
