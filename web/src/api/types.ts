/** Short names for the API's generated types. */
import type { components } from './schema'

type Schemas = components['schemas']

export type Alarm = Schemas['AlarmAnswer']
export type Camera = Schemas['CameraAnswer']
export type Device = Schemas['DeviceAnswer']
export type MediaAnswer = Schemas['MediaAnswer']
export type Me = Schemas['Me']
export type Observation = Schemas['ObservationAnswer']
export type Run = Schemas['RunAnswer']
export type RunRecord = Schemas['RunRecord']
export type Scene = Schemas['SceneAnswer']
export type Sweep = Schemas['SweepAnswer']
export type System = Schemas['SystemAnswer']
export type Tour = Schemas['TourAnswer']
export type User = Schemas['UserAnswer']
export type Village = Schemas['VillageAnswer']
export type Viewer = Schemas['ViewerAnswer']

export type Role = Me['role']
export type LayoutName = Scene['layout']
export type PlaceClass = Camera['place_class']

export type TileFigures = Schemas['TileFigures']
export type Hello = Schemas['Hello']
export type TileMessage = Schemas['Tile']
export type ViewerGone = Schemas['ViewerGone']
export type RelayNew = Schemas['RelayNew']
export type Changed = Schemas['Changed']
export type Show = Schemas['Show']
export type Listen = Schemas['Listen']
export type Heard = Schemas['Heard']
export type TileState = TileMessage['state']
export type Topic = Changed['topic']

/** What a role may do (access.policy.Action); `Me.actions` lists those of the user. */
export type Action =
  | 'self'
  | 'view'
  | 'listen'
  | 'read_health'
  | 'acknowledge'
  | 'register'
  | 'approve'
  | 'manage_villages'
  | 'manage_users'
  | 'edit_tours'
  | 'run_tours'
  | 'read_records'
  | 'read_system'
  | 'manage_system'
  | 'manage_stream_tokens'
