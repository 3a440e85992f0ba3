import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  // A content security policy forbids inline scripts, so nothing may be injected into index.html.
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    sourcemap: false,
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/tiles", "^/slides/"].map((path) => [path, "http://127.0.0.1:8000"]),
    ),
  },
  test: { include: ["src/**/*.test.ts"] },
});
