import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** Greys without a tint: beside stained tissue any colour of the frame is a colour seen in the tissue. */
const neutral: MantineColorsTuple = [
  "#ececed",
  "#d0d0d2",
  "#a6a6a9",
  "#86868a",
  "#4a4a4d",
  "#38383a",
  "#2a2a2c",
  "#202022",
  "#19191a",
  "#121213",
];

/** The violet of haematoxylin, for focus and progress; never in the frame of an open slide. */
const haematoxylin: MantineColorsTuple = [
  "#f0eeff",
  "#dedaff",
  "#c6bffb",
  "#b3a9f6",
  "#a295f0",
  "#9184e8",
  "#7f71d8",
  "#6a5cc0",
  "#5649a3",
  "#433883",
];

export const theme = createTheme({
  primaryColor: "haematoxylin",
  primaryShade: { light: 6, dark: 7 },
  colors: { dark: neutral, haematoxylin },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", monospace',
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  focusRing: "auto",
});
