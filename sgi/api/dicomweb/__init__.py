"""`/dicomweb`: the read side of DICOMweb (PS3.18) on the stored instances; one file a resource."""
