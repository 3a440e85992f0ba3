/** Where a dialogue has to be for it to be seen: what fills the screen hides all that is beside it. */
export function inSight(): { readonly target: HTMLElement } {
  const filling = document.fullscreenElement;
  return { target: filling instanceof HTMLElement ? filling : document.body };
}
