import { SharpCanvasDrawer } from "./sharpCanvasDrawer";

/**
 * Which of OpenSeadragon's drawers suits this machine. WebGL draws fastest and without seams when the
 * slide is turned, but emulated on the processor it is far slower than a plain canvas: remote desktops
 * and hospital thin clients have no graphics processor at all. Browsers do not always own up to the
 * emulation when asked by `failIfMajorPerformanceCaveat`, so its name is looked at too.
 */
const EMULATED = /swiftshader|llvmpipe|softpipe|software|basic render/i;

export function preferredDrawers(): Array<"webgl" | typeof SharpCanvasDrawer> {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!context) return [SharpCanvasDrawer];
  const names = context.getExtension("WEBGL_debug_renderer_info");
  const renderer = String(
    context.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : context.RENDERER),
  );
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return EMULATED.test(renderer) ? [SharpCanvasDrawer] : ["webgl", SharpCanvasDrawer];
}
