/** What went wrong on a page, or with it; an error of the library keeps its name. */
export class PageError extends Error {
  constructor(message: string, name = 'PageError') {
    super(message);
    this.name = name;
  }
}
