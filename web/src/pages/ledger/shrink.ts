/** A photo made small enough to be sent from a field: upright, at most 1600 pixels, a JPEG of some 400 kB. */
const SIDE = 1600
const QUALITY = 0.85

/** Falls back to the file itself where the browser cannot decode it: the hub then says what is wrong with it. */
export async function shrunk(file: Blob): Promise<Blob> {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height))
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.round(picture.width * scale))
    canvas.height = Math.max(1, Math.round(picture.height * scale))
    canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
    picture.close()
    const made = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
    return made ?? file
  } catch {
    return file
  }
}
