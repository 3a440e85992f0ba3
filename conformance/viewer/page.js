// Shows a slide of a DICOMweb server, and keeps what dicom-microscopy-viewer made of each frame.
"use strict";

const seen = { images: [], frames: {}, errors: [], loading: 0 };
let viewer = null;

const base64 = (array) => {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
};

// Its worker throws this in every page: it looks for a window, which workers do not have.
const itsOwn = "setting 'dicomMicroscopyViewer'";
window.addEventListener("error", ({ message }) => {
  if (!message.includes(itsOwn)) {
    seen.errors.push(message);
  }
});
window.addEventListener("unhandledrejection", (event) => seen.errors.push(String(event.reason)));

// Only frames of `wanted` ("uid/number") are kept: they are large.
window.show = async (url, studyInstanceUID, seriesInstanceUID, wanted) => {
  const client = new DICOMwebClient.api.DICOMwebClient({ url });
  const told = await client.retrieveSeriesMetadata({ studyInstanceUID, seriesInstanceUID });
  const images = told.map(
    (metadata) => new dicomMicroscopyViewer.metadata.VLWholeSlideMicroscopyImage({ metadata }),
  );
  const levels = images.filter((image) => image.ImageType[2] === "VOLUME");
  seen.images = levels.map((image) => [
    image.TotalPixelMatrixColumns,
    image.TotalPixelMatrixRows,
  ]);
  const container = document.getElementById("viewport");
  const keep = new Set(wanted);
  container.addEventListener("dicommicroscopyviewer_frame_loading_started", () => {
    seen.loading += 1;
  });
  container.addEventListener("dicommicroscopyviewer_frame_loading_ended", ({ detail }) => {
    seen.loading -= 1;
    const { sopInstanceUID, frameNumber, pixelArray } = detail.payload;
    const name = `${sopInstanceUID}/${frameNumber}`;
    if (pixelArray) {
      seen.frames[name] = keep.has(name)
        ? [pixelArray.constructor.name, base64(pixelArray)]
        : [pixelArray.constructor.name, ""];
    }
  });
  container.addEventListener("dicommicroscopyviewer_frame_loading_error", ({ detail }) => {
    seen.errors.push(`frame ${detail.payload.frameNumber} cannot be shown`);
  });
  viewer = new dicomMicroscopyViewer.viewer.VolumeImageViewer({ client, metadata: levels });
  viewer.render({ container });
  if (levels[0].SamplesPerPixel === 1) {
    for (const { identifier } of viewer.getAllOpticalPaths()) {
      viewer.activateOpticalPath(identifier);
      viewer.showOpticalPath(identifier);
    }
  }
};

// Level 0 is the coarsest to the viewer; position in millimetres of the glass.
window.goTo = (level, position) => viewer.navigate({ level, position });
window.shown = () => seen;
