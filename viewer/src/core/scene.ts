/** "2/3" as which image of its file a slide is; null for a scene that the file names otherwise. */
export function parseScene(scene: string): { readonly index: number; readonly count: number } | null {
  const match = /^(\d{1,4})\/(\d{1,4})$/.exec(scene.trim());
  if (!match) return null;
  const [index = 0, count = 0] = match.slice(1).map(Number);
  return index >= 1 && index <= count ? { index, count } : null;
}
