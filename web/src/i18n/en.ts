import { assemble } from './assemble'

export default assemble(import.meta.glob('./en/*.ts', { eager: true }))
