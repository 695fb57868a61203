/** The message files of one language, each under the key that its name says: see words.ts. */
export type Words = Record<string, unknown>
type File = { default: Words }

export function assemble(files: Record<string, File>): Words {
  return Object.fromEntries(
    Object.entries(files).map(([path, file]) => {
      const name = path.replace(/^.*\/(.+)\.ts$/, '$1')
      return [name === 'reasons' ? 'reason' : name, file.default]
    }),
  )
}
